"""Tests of departures inside the agent, against processes that are killed, slow or gone."""
