"""What Gunicorn is made of here: its worker, and how its processes share memory. Nothing of the application is known here."""
