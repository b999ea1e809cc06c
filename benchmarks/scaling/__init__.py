"""What a site of many machines takes: a simulation of its queues, held against what one machine was measured to do."""
