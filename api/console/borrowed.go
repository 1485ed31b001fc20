package console

import "strconv"

var kinds = map[string]string{"storefront": "storefronts", "sgtm": "sgtm-configs", "platform": "platforms", "credential": "credentials"}

const sgtm = "sgtm"

func (d Destination) level(name string) *Switch {
	for _, s := range d.Switches {
		if s.Level == name {
			return &s
		}
	}
	return nil
}

// Link is the page that confirms a switch's flip.
func (s Switch) Link() string {
	to := "on"
	if s.On {
		to = "off"
	}
	return Prefix + "switches/" + kinds[s.Level] + "/" + strconv.FormatInt(s.ID, 10) + "?to=" + to
}
