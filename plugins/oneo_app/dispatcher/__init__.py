"""The dispatcher: turns events into executions and executions into DAG runs, and ends them.

Each step is one transaction that claims rows with `FOR UPDATE SKIP LOCKED`: any number of dispatchers may run side
by side, and one that is killed leaves its rows to the others.
"""
