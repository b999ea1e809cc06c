"""Gunicorn's entry point, and any other server's; what is answered from here is counted."""

from app.factory import create_app
from app.http.context import services

app = create_app()
with app.app_context():
    services().traffic.begin()
