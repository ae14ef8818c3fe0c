"""What each address of the API answers: functions of the account, the call, and the numbers in its path."""
