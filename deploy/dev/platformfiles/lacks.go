package platformfiles

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Unregistered returns the folders below adapters that hold an adapter that no code of the registry has.
func Unregistered(root string) ([]string, error) {
	folders, err := Folders(root)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, Adapters, "*", "*.go"))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		known := slices.Contains(append(found, "sgtm", "sandbox"), folder) // a container, and the adapter of tests
		for _, f := range folders {
			known = known || f == folder
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !known && adapter.Match(text) {
			found = append(found, folder)
		}
	}
	return found, nil
}

var (
	adapter  = regexp.MustCompile(`(?m)^func \(\w* ?\w+\) Outcome\(`)
	testMode = regexp.MustCompile(`(?m)^func \(\w* ?\w+\) TestRequest\(`)
)

const (
	testEvents   = "**Test events.**"
	noTestEvents = "**Test events.** None"
)

// Lacks names what a platform of the registry lacks, and each line of its files that newplatform left to be filled in.
func Lacks(root, code string) ([]string, error) {
	folders, err := Folders(root)
	if err != nil {
		return nil, err
	}
	p := platform{root: root, code: code, folder: folders[code]}
	if p.folder == "" {
		return []string{fmt.Sprintf("%s: a line for %q", Registry, code)}, nil
	}
	for other, folder := range folders {
		p.rival = p.rival || other != code && folder == p.folder
	}
	sources, tests := p.sources()
	missing := slices.Concat(p.inFolder(sources, tests), p.elsewhere(sources))
	left, err := p.leftOpen()
	return slices.Concat(missing, left), err
}

// sources returns the texts of the adapter and of its tests.
func (p platform) sources() (sources, tests string) {
	files, _ := filepath.Glob(filepath.Join(p.root, Adapters, p.folder, "*.go")) // the pattern is valid
	for _, file := range files {
		text := p.read(file)
		if strings.HasSuffix(file, "_test.go") {
			tests += text
		} else {
			sources += text
		}
	}
	return sources, tests
}

// read returns a file's text; "" if it is not there.
func (p platform) read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// inFolder names what the adapter's folder lacks.
func (p platform) inFolder(sources, tests string) []string {
	var missing []string
	dir := Adapters + "/" + p.folder
	for what, text := range map[string]string{
		"a test that calls adaptertest.Golden":                             "adaptertest.Golden(",
		"request_test.go: a test of Check that begins with func TestCheck": "func TestCheck",
		"request_test.go: func FuzzRequest":                                "func FuzzRequest(",
		"outcome_test.go: a table of the vendor's responses":               ".Outcome(",
	} {
		if !strings.Contains(tests, text) {
			missing = append(missing, dir+": "+what)
		}
	}
	if !strings.Contains(sources, ") EventNames() ") {
		missing = append(missing, dir+": EventNames, with default and proposed names")
	}
	files := []string{"accepted.reply.json"}
	for _, c := range Cases {
		files = append(files, c+".event.json", c+".request.json")
	}
	for _, file := range files {
		if _, err := os.Stat(filepath.Join(p.root, Adapters, p.testdata(), "testdata", file)); err != nil {
			missing = append(missing, Adapters+"/"+p.testdata()+"/testdata/"+file)
		}
	}
	slices.Sort(missing)
	return missing
}

// testdata is the folder of the golden files: that of the code where two platforms share a package, if it is there.
func (p platform) testdata() string {
	if _, err := os.Stat(filepath.Join(p.root, Adapters, p.code, "testdata")); p.rival && err == nil {
		return p.code
	}
	return p.folder
}

// elsewhere names what the other places lack.
func (p platform) elsewhere(sources string) []string {
	var missing []string
	for _, file := range []string{Players, Accounts, Page} {
		if !strings.Contains(p.read(filepath.Join(p.root, file)), "\t\""+p.code+"\":") {
			missing = append(missing, fmt.Sprintf("%s: a line for %q", file, p.code))
		}
	}
	if e, err := Entry(p.root, p.code); err != nil || e == nil {
		missing = append(missing, fmt.Sprintf("%s: an entry with the code %q", Catalogue, p.code))
	}
	page := Texts + "/" + p.code + ".md"
	text, has := p.read(filepath.Join(p.root, page)), testMode.MatchString(sources)
	switch {
	case text == "":
		missing = append(missing, page)
	case !strings.Contains(text, testEvents):
		missing = append(missing, page+": a paragraph "+testEvents)
	case strings.Contains(text, noTestEvents) && has:
		missing = append(missing, page+": the adapter has a test mode, of which the page says None")
	case !strings.Contains(text, noTestEvents) && !has:
		missing = append(missing, Adapters+"/"+p.folder+": TestRequest, or "+noTestEvents+" in "+page)
	}
	return missing
}

// leftOpen names the lines of the platform's files that are marked FillIn.
func (p platform) leftOpen() ([]string, error) {
	var left []string
	for _, pattern := range []string{Adapters + "/" + p.folder + "/*.go", Adapters + "/" + p.folder + "/testdata/*.json",
		PlayerFiles + "/" + strings.ReplaceAll(p.code, "_", "") + "*.go", Texts + "/" + p.code + ".md"} {
		files, err := filepath.Glob(filepath.Join(p.root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name, err := filepath.Rel(p.root, file)
			if err != nil {
				return nil, err
			}
			left = append(left, marked(filepath.ToSlash(name), p.read(file))...)
		}
	}
	entry, err := Entry(p.root, p.code)
	return slices.Concat(left, marked(Catalogue+", "+p.code, string(entry))), err
}

func marked(name, text string) []string {
	var left []string
	n := 0
	for line := range strings.Lines(text) {
		if n++; strings.Contains(line, FillIn) {
			left = append(left, fmt.Sprintf("%s:%d: %s", name, n, strings.TrimSpace(line)))
		}
	}
	return left
}
