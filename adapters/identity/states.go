package identity

// statesOf are the states and territories of the US and the provinces of Canada: folded name, or code, to code.
var statesOf = withCodes(map[string]map[string]string{
	"us": {
		"alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca", "colorado": "co",
		"connecticut": "ct", "delaware": "de", "districtofcolumbia": "dc", "florida": "fl", "georgia": "ga",
		"hawaii": "hi", "idaho": "id", "illinois": "il", "indiana": "in", "iowa": "ia", "kansas": "ks", "kentucky": "ky",
		"louisiana": "la", "maine": "me", "maryland": "md", "massachusetts": "ma", "michigan": "mi", "minnesota": "mn",
		"mississippi": "ms", "missouri": "mo", "montana": "mt", "nebraska": "ne", "nevada": "nv", "newhampshire": "nh",
		"newjersey": "nj", "newmexico": "nm", "newyork": "ny", "northcarolina": "nc", "northdakota": "nd", "ohio": "oh",
		"oklahoma": "ok", "oregon": "or", "pennsylvania": "pa", "rhodeisland": "ri", "southcarolina": "sc",
		"southdakota": "sd", "tennessee": "tn", "texas": "tx", "utah": "ut", "vermont": "vt", "virginia": "va",
		"washington": "wa", "westvirginia": "wv", "wisconsin": "wi", "wyoming": "wy", "americansamoa": "as", "guam": "gu",
		"northernmarianaislands": "mp", "puertorico": "pr", "virginislands": "vi", "usvirginislands": "vi",
		"usminoroutlyingislands": "um", "washingtondc": "dc", "armedforcesamericas": "aa", "armedforceseurope": "ae",
		"armedforcespacific": "ap",
	},
	"ca": {
		"alberta": "ab", "britishcolumbia": "bc", "manitoba": "mb", "newbrunswick": "nb", "newfoundlandandlabrador": "nl",
		"newfoundland": "nl", "northwestterritories": "nt", "novascotia": "ns", "nunavut": "nu", "ontario": "on",
		"princeedwardisland": "pe", "quebec": "qc", "saskatchewan": "sk", "yukon": "yt", "yukonterritory": "yt",
	},
})

// withCodes makes each code a name of its own.
func withCodes(tables map[string]map[string]string) map[string]map[string]string {
	for _, t := range tables {
		codes := make([]string, 0, len(t))
		for _, code := range t {
			codes = append(codes, code)
		}
		for _, code := range codes {
			t[code] = code
		}
	}
	return tables
}
