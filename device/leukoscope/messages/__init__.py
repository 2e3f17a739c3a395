"""What goes over the wire: reports, cells, commands, status, with their JSON Schemas and the AsyncAPI document."""
