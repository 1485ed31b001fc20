package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// switching is what a flip would do.
type switching struct {
	record
	Kind, Name, What string
	On, To           bool
	Wide             bool // it concerns more than one destination of one storefront: its name is to be typed
	Ways             []flipWay
	Back             string
	Changed          []AuditLine // since the form was shown
	tag              string      // REST's, of what was read
}

// flipWay is one way to flip: of a container there are two ways off.
type flipWay struct {
	Fallback string
	Effect   part[flipped]
}

// flipped is REST's answer to a flip, or to its dry run.
type flipped struct {
	On      bool       `json:"is_active"`
	Changed bool       `json:"changed"`
	By      string     `json:"switched_by"`
	At      *time.Time `json:"switched_at"`
	Routes  []routeNow `json:"routes"`
	Omitted bool       `json:"routes_omitted"`
	Effect  struct {
		Storefronts  int        `json:"storefronts"`
		InFlight     int        `json:"in_flight"`
		InFlightMore bool       `json:"in_flight_more"`
		Before       []routeNow `json:"before"`
	} `json:"effect"`
}

type routeNow struct {
	Storefront string `json:"storefront_code"`
	Text       string `json:"text"`
}

func (v *visit) switchPath() string {
	return "/admin/v1/" + segment(v.part("kind")) + "/" + segment(v.part("id"))
}

// switchOf reads what is to be switched. Its name comes from REST, never from the address.
func (v *visit) switchOf() (switching, error) {
	s := switching{Kind: v.part("kind"), To: v.query.Get("to") == "on"}
	if len(v.form) > 0 {
		s.To = v.form.Get("to") == "on"
	}
	if !slices.Contains([]string{"storefronts", "sgtm-configs", "platforms", "credentials"}, s.Kind) {
		return s, &Problem{Status: http.StatusNotFound, Detail: "There is no such switch."}
	}
	var err error
	if s.record, s.tag, err = v.read(v.switchPath()); err != nil {
		return s, err
	}
	s.On = s.fields["is_active"] == true
	switch s.Kind {
	case "storefronts":
		s.Name, s.What, s.Wide = s.Get("storefront_id"), "storefront "+s.Get("storefront_id"), true
	case "platforms":
		s.Name, s.What, s.Wide = s.Get("code"), "platform "+s.Get("code")+" for all storefronts", true
	case "sgtm-configs":
		s.Name, s.What = s.Get("storefront_code"), "container of "+s.Get("storefront_code")
	case "credentials":
		s.Name, s.What = s.Get("storefront_code"), "credential of "+s.Get("storefront_code")+" at "+s.Get("platform_code")
	}
	s.Wide = s.Wide && (!s.To || s.Kind == "platforms")
	s.Back = "routes"
	if s.Kind != "platforms" {
		s.Back = "routes?" + url.Values{"storefront": {s.Name}}.Encode()
	}
	return s, nil
}

func verb(on bool) string {
	if on {
		return "/activate"
	}
	return "/deactivate"
}

func showSwitch(v *visit) (any, error) {
	s, err := v.switchOf()
	if err != nil {
		return nil, err
	}
	s.Changed = v.changedBy(s.Kind, s.ID)
	v.title = "Switch " + onOff(s.To) + " the " + s.What
	s.Ways = []flipWay{{}}
	if s.Kind == "sgtm-configs" && !s.To {
		s.Ways = []flipWay{{Fallback: "direct"}, {Fallback: "stop"}}
	}
	var calls []func()
	for i := range s.Ways {
		calls = append(calls, func() {
			w := &s.Ways[i]
			w.Effect.Problem = problemOf(v.post(v.switchPath()+verb(s.To), join("dry_run", "true", "fallback", w.Fallback), nil, &w.Effect.Value))
		})
	}
	v.together(calls...)
	return s, nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func flip(v *visit) (next, error) {
	s, err := v.switchOf()
	if err != nil {
		return next{}, err
	}
	if err := v.stale(s.record); err != nil {
		return next{}, err
	}
	if typed := strings.TrimSpace(v.form.Get("typed")); s.Wide && typed != s.Name {
		return next{}, &Problem{Status: http.StatusUnprocessableEntity, Code: "confirm_mismatch", Field: "typed", Detail: "Type " + s.Name + " to confirm: nothing was switched.", RequestID: v.id}
	}
	k := call{method: http.MethodPost, path: v.switchPath() + verb(s.To), query: join("fallback", v.form.Get("fallback")), match: s.tag}
	if _, err := v.do(k, nil); err != nil {
		return next{}, err
	}
	return v.done(s.Back), nil
}
