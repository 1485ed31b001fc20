package db

// Query is a statement with arguments to explain it by.
type Query struct {
	SQL  string
	Args []any
}

// ClaimQueries are the statements that claiming runs against the inbox.
func ClaimQueries() map[string]Query {
	return map[string]Query{
		"next storefront": {nextPendingSQL, []any{0}},
		"in flight":       {inFlightSQL, []any{1, 10, 1, 10}},
		"page":            {claimSQL, []any{1, 50}},
		"rows by code":    {codeRowsSQL, []any{50}},
	}
}
