"""Node types: one class per type, at once Airflow operator and in-task executable."""
