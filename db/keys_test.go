package db_test

// testKey and the tokens of this file were made by Python's cryptography.
const testKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
