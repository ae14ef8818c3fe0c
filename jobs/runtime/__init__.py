"""What a process that holds a job stands on: its lease, its wake-ups, its retries of the database.

Never: deciding what happens to an item.
"""
