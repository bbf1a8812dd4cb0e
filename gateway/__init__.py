"""The one door for the website: a stateless Flask application that speaks to the stages over the broker."""
