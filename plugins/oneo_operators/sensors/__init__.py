"""Sensors for hand-written DAGs: tasks that wait for an event of a tenant."""
