package console

// overviewPages are the first page and what belongs to it.
func overviewPages() []page {
	return []page{
		{path: "", place: "Overview", title: "Overview", template: "overview", show: showOverview},
		{path: "keys", title: "Keys", template: "keys", show: func(*visit) (any, error) { return nil, nil }},
	}
}

type overview struct{ Stats Stats }

func showOverview(v *visit) (any, error) {
	s, err := v.stats(nil)
	return overview{s}, err
}
