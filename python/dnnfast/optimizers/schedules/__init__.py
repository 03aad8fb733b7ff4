"""Learning rates that change with the step."""

from dnnfast.optimizers.schedules.schedule import LearningRateSchedule

__all__ = ["LearningRateSchedule"]
