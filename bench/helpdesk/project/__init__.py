"""A Django project with django-helpdesk as its only application."""
