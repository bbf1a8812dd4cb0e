"""Protection of forms against other sites' requests."""

from flask_wtf.csrf import CSRFProtect

protection = CSRFProtect()
