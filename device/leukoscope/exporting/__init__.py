"""A finished report for other eyes: FHIR for a laboratory's system, CSV for a table, HTML and PDF for people."""
