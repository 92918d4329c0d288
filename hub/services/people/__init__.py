"""People, teams, and the ways in: accounts, invitations, tokens, signing tools in."""
