"""Logs of sensors with clocks of their own, brought to one step: declared rules, known ages, no look ahead."""
