"""From a workflow definition to an Airflow DAG."""
