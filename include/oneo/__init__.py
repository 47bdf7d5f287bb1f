"""The foundation: settings, store, expressions, errors. Knows no Airflow."""
