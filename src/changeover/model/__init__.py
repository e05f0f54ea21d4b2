"""What is known: releases, instances, plans, events, states. Data only, no input or output."""
