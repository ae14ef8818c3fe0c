"""What a real run would do: figures, samples, warnings.

Never: a write to Zendesk.
"""
