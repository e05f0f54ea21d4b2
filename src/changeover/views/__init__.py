"""What people and programs see: functions from model to text."""
