"""A carrier or aggregator that speaks SMPP 3.4: `provider.SmppProvider`, declared by `settings.SmppSettings`."""
