"""The old place of the workers' broker, which settings of an earlier release name in `Q_CLUSTER`."""

from jobs.workers.watching_broker import WatchingBroker as Broker

__all__ = ["Broker"]
