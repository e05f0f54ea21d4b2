"""Loading people's files into a platform: judged as a whole before anything is written."""
