"""django-helpdesk, run as its documentation says: what a city would use for public tickets instead of this service."""
