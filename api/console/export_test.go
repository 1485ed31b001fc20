package console

// Pages are the paths of all pages, with their titles.
func Pages() map[string]string {
	m := map[string]string{}
	for _, p := range pages() {
		m[p.path] = p.title
	}
	return m
}
