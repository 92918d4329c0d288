"""What people and rules point out, and what moderators decide: flags, rulings, appeals, notices to owners."""
