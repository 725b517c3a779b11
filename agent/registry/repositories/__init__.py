"""Writing the registry: a repository a subject, all over one transaction."""
