"""The review page over the reports of every site: it shows what is stored, and sends steps to their devices."""
