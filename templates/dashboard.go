package templates

import "encoding/json"

// NodesDashboard is the Grafana dashboard of all nodes: which are up, CPU, memory, disk, network.
type NodesDashboard struct {
	Lab string
}

// UIDs by which the scripts ask Grafana for what podium has put there.
const (
	datasourceUID = "podium-prometheus"
	dashboardUID  = "podium-nodes"
)

// The JSON model of a dashboard, as far as it is needed:
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
type (
	dashboard struct {
		UID           string     `json:"uid"`
		Title         string     `json:"title"`
		Tags          []string   `json:"tags"`
		SchemaVersion int        `json:"schemaVersion"`
		Editable      bool       `json:"editable"`
		Refresh       string     `json:"refresh"`
		Time          timeRange  `json:"time"`
		Templating    templating `json:"templating"`
		Panels        []panel    `json:"panels"`
	}
	timeRange struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name       string     `json:"name"`
		Label      string     `json:"label"`
		Type       string     `json:"type"`
		Datasource datasource `json:"datasource"`
		Query      string     `json:"query"`
		Refresh    int        `json:"refresh"`
		Sort       int        `json:"sort"`
		Multi      bool       `json:"multi"`
		IncludeAll bool       `json:"includeAll"`
		AllValue   string     `json:"allValue"`
		Current    selection  `json:"current"`
	}
	selection struct {
		Text  []string `json:"text"`
		Value []string `json:"value"`
	}
	datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	panel struct {
		ID          int         `json:"id"`
		Title       string      `json:"title"`
		Description string      `json:"description,omitempty"`
		Type        string      `json:"type"`
		Datasource  datasource  `json:"datasource"`
		GridPos     gridPos     `json:"gridPos"`
		Targets     []query     `json:"targets"`
		FieldConfig fieldConfig `json:"fieldConfig"`
		Options     any         `json:"options,omitempty"`
	}
	gridPos struct {
		X int `json:"x"`
		Y int `json:"y"`
		W int `json:"w"`
		H int `json:"h"`
	}
	query struct {
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		Instant      bool   `json:"instant,omitempty"`
	}
	fieldConfig struct {
		Defaults  defaults `json:"defaults"`
		Overrides []any    `json:"overrides"`
	}
	defaults struct {
		Unit       string     `json:"unit,omitempty"`
		Min        *float64   `json:"min,omitempty"`
		Max        *float64   `json:"max,omitempty"`
		Mappings   []mapping  `json:"mappings,omitempty"`
		Thresholds thresholds `json:"thresholds"`
	}
	mapping struct {
		Type    string            `json:"type"`
		Options map[string]status `json:"options"`
	}
	status struct {
		Text  string `json:"text"`
		Color string `json:"color"`
		Index int    `json:"index"`
	}
	thresholds struct {
		Mode  string      `json:"mode"`
		Steps []threshold `json:"steps"`
	}
	threshold struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"`
	}
	statOptions struct {
		ColorMode   string `json:"colorMode"`
		GraphMode   string `json:"graphMode"`
		TextMode    string `json:"textMode"`
		Orientation string `json:"orientation"`
	}
	graphOptions struct {
		Legend  legend  `json:"legend"`
		Tooltip tooltip `json:"tooltip"`
	}
	legend struct {
		DisplayMode string   `json:"displayMode"`
		Placement   string   `json:"placement"`
		ShowLegend  bool     `json:"showLegend"`
		Calcs       []string `json:"calcs"`
	}
	tooltip struct {
		Mode string `json:"mode"`
		Sort string `json:"sort"`
	}
)

// What the panels ask; $node is the choice at the top of the page.
const (
	queryUp     = `up{job="node",node=~"$node"}`
	queryUptime = `node_time_seconds{node=~"$node"} - node_boot_time_seconds{node=~"$node"}`
	queryCPU    = `100 * (1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle",node=~"$node"}[$__rate_interval])))`
	queryMemory = `100 * (1 - node_memory_MemAvailable_bytes{node=~"$node"} / node_memory_MemTotal_bytes{node=~"$node"})`
	queryDisk   = `100 * (1 - max by (node) (node_filesystem_avail_bytes{mountpoint="/",fstype!="rootfs",node=~"$node"}) / max by (node) (node_filesystem_size_bytes{mountpoint="/",fstype!="rootfs",node=~"$node"}))`
	queryLoad   = `node_load1{node=~"$node"}`
	// Cards of pods and bridges would count the same bytes again.
	queryReceived = `8 * sum by (node) (rate(node_network_receive_bytes_total{device!~"lo|veth.*|cni.*|flannel.*|docker.*|br-.*|podium.*",node=~"$node"}[$__rate_interval]))`
	querySent     = `8 * sum by (node) (rate(node_network_transmit_bytes_total{device!~"lo|veth.*|cni.*|flannel.*|docker.*|br-.*|podium.*",node=~"$node"}[$__rate_interval]))`
)

// Render gives the dashboard as JSON.
func (d NodesDashboard) Render() (string, error) {
	nodes := variable{
		Name: "node", Label: "Node", Type: "query", Datasource: prometheusSource, Query: `label_values(up{job="node"}, node)`,
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: selection{Text: []string{"All"}, Value: []string{"$__all"}},
	}
	return renderBoard(dashboard{UID: dashboardUID, Title: "Nodes of " + d.Lab, Templating: templating{List: []variable{nodes}}, Panels: []panel{
		stat("Up", gridPos{0, 0, 16, 5}, byNode(queryUp), upDefaults()),
		stat("Running since", gridPos{16, 0, 8, 5}, byNode(queryUptime), defaults{Unit: "dtdurations", Thresholds: plain()}),
		graph("CPU", gridPos{0, 5, 12, 8}, percent(), byNode(queryCPU)),
		graph("Memory", gridPos{12, 5, 12, 8}, percent(), byNode(queryMemory)),
		graph("Disk (/)", gridPos{0, 13, 12, 8}, percent(), byNode(queryDisk)),
		graph("Load (1 minute)", gridPos{12, 13, 12, 8}, fromZero("short"), byNode(queryLoad)),
		graph("Network received", gridPos{0, 21, 12, 8}, fromZero("bps"), byNode(queryReceived)),
		graph("Network sent", gridPos{12, 21, 12, 8}, fromZero("bps"), byNode(querySent)),
	}})
}

// prometheusSource is the data source of every panel.
var prometheusSource = datasource{Type: "prometheus", UID: datasourceUID}

// renderBoard fills in what all dashboards share and gives the board as JSON.
func renderBoard(board dashboard) (string, error) {
	board.Tags, board.SchemaVersion, board.Refresh = []string{"podium"}, 39, "15s"
	board.Time = timeRange{From: "now-30m", To: "now"}
	if board.Templating.List == nil {
		board.Templating.List = []variable{}
	}
	for i := range board.Panels {
		board.Panels[i].ID, board.Panels[i].Datasource = i+1, prometheusSource
	}
	text, err := json.MarshalIndent(board, "", "  ")
	return string(text) + "\n", err
}

// by asks and calls each line by the labels in legend, such as {{pod}}.
func by(legend, expr string) query { return query{RefID: "A", Expr: expr, LegendFormat: legend} }

func fromZero(unit string) defaults {
	return defaults{Unit: unit, Min: number(0), Thresholds: plain()}
}

func byNode(expr string) query { return by("{{node}}", expr) }

func stat(title string, at gridPos, q query, d defaults) panel {
	q.Instant = true
	return panel{
		Title: title, Type: "stat", GridPos: at, Targets: []query{q},
		FieldConfig: fieldConfig{Defaults: d, Overrides: []any{}},
		Options:     statOptions{ColorMode: "background", GraphMode: "none", TextMode: "value_and_name", Orientation: "auto"},
	}
}

func graph(title string, at gridPos, d defaults, q query) panel {
	return panel{
		Title: title, Type: "timeseries", GridPos: at, Targets: []query{q},
		FieldConfig: fieldConfig{Defaults: d, Overrides: []any{}},
		Options: graphOptions{
			Legend:  legend{DisplayMode: "table", Placement: "right", ShowLegend: true, Calcs: []string{"lastNotNull", "max"}},
			Tooltip: tooltip{Mode: "multi", Sort: "desc"},
		},
	}
}

func upDefaults() defaults {
	return defaults{
		Mappings: []mapping{{Type: "value", Options: map[string]status{
			"0": {Text: "down", Color: "red", Index: 0},
			"1": {Text: "up", Color: "green", Index: 1},
		}}},
		Thresholds: thresholds{Mode: "absolute", Steps: []threshold{{Color: "red"}, {Color: "green", Value: number(1)}}},
	}
}

func percent() defaults {
	return defaults{Unit: "percent", Min: number(0), Max: number(100), Thresholds: plain()}
}

func plain() thresholds {
	return thresholds{Mode: "absolute", Steps: []threshold{{Color: "blue"}}}
}

func number(f float64) *float64 { return &f }
