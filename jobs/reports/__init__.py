"""Numbers and files about jobs: progress, metrics, exports, failure reasons, recounts.

Never: a sentence or a picture of a page, or a change to a job.
"""
