package report

import (
	"maps"
	"slices"
	"strings"

	"podium/provision/lab"
)

// Place is a web page that a step reported: the fact NAME_url, with NAME_user and secret_NAME_password where there is
// a login.
type Place struct {
	Name     string // such as grafana
	URL      string
	User     string // empty: no login, or the page asks for none
	Password string // empty where the facts hold no secrets
}

// SecretKey is the fact that holds the place's password.
func (p Place) SecretKey() string { return "secret_" + p.Name + "_password" }

// OpenHead stands above a list of places. Pages of a simulated lab cannot be opened in a browser.
func OpenHead(provider string) string {
	if provider == lab.ProviderSim {
		return "Open (simulated: only from the nodes, such as podium exec -- curl URL):"
	}
	return "Open:"
}

// Places finds the web pages among a node's facts, sorted by name.
func Places(facts map[string]string) []Place {
	var places []Place
	for _, key := range slices.Sorted(maps.Keys(facts)) {
		name, ok := strings.CutSuffix(key, "_url")
		if !ok || strings.HasPrefix(key, "secret_") {
			continue
		}
		p := Place{Name: name, URL: Clean(facts[key]), User: Clean(facts[name+"_user"])}
		p.Password = Clean(facts[p.SecretKey()])
		places = append(places, p)
	}
	return places
}
