"""What runs around the nodes: command line, local stack, dispatcher, Airflow plugin."""
