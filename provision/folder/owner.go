package folder

// Owner is whose a file is.
type Owner struct {
	Name   string // for messages
	Me     bool   // the user who runs podium
	Sudo   bool   // the user who runs podium by sudo
	System bool   // root, or Windows' administrators
}
