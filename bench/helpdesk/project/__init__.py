"""A Django project that holds django-helpdesk and nothing else."""
