"""What the product answers over HTTP: an ASGI application that Airflow's API server mounts under `/oneo`."""
