"""Reading the registry for people: lists and dossiers of everything on file, also of what is over."""
