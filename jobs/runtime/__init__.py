"""What a process that holds a job stands on: its lease, its queue, its patience with the database.

Never: deciding what happens to an item.
"""
