"""Repositories: writing the registry, one repository for each subject, all over one transaction."""
