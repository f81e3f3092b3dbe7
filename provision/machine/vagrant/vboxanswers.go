package vagrant

import "regexp"

// meaning is what an answer of VBoxManage that is an error means for podium. The answers themselves, as real VirtualBox
// gave them, are in testdata/vbox-answers.txt.
type meaning string

const (
	meansAskAgain    meaning = "ask again"    // another process holds the machine for a moment, or VirtualBox's service is ending or starting
	meansAlreadyOff  meaning = "already off"  // the machine that should be switched off is off
	meansNotFound    meaning = "not found"    // VirtualBox does not know the machine, snapshot or medium
	meansNoSnapshots meaning = "no snapshots" // the machine has none
	meansFailure     meaning = "failure"      // anything else
)

// answers is searched from the top.
var answers = []struct {
	means meaning
	words *regexp.Regexp
}{
	{meansNotFound, regexp.MustCompile(`VBOX_E_OBJECT_NOT_FOUND`)},
	{meansNoSnapshots, regexp.MustCompile(`does not have any snapshots`)},
	{meansAlreadyOff, regexp.MustCompile(`is not currently running|Invalid machine state: (PoweredOff|Aborted|AbortedSaved|Saved)\b`)},
	// The machine's process is starting or ending.
	{meansAskAgain, regexp.MustCompile(`Failed to get a console object from the direct session`)},
	{meansAskAgain, regexp.MustCompile(`An unexpected process .* has tried to lock the machine`)},
	{meansAskAgain, regexp.MustCompile(`The session is not locked|already has a lock request pending`)},
	{meansAskAgain, regexp.MustCompile(`The object is not ready|The object functionality is limited`)},
	// Another process uses the machine, or its own has not ended yet.
	{meansAskAgain, regexp.MustCompile(`is already locked (by|for) a session`)},
	{meansAskAgain, regexp.MustCompile(`Cannot unregister the machine .* while it is locked`)},
	// VirtualBox's service ends 5 seconds after its last client, and those who come at that moment are refused.
	{meansAskAgain, regexp.MustCompile(`Failed to (create the VirtualBox object|acquire the VirtualBox COM object)`)},
}

// meaningOf classifies what VBoxManage said.
func meaningOf(text string) meaning {
	for _, a := range answers {
		if a.words.MatchString(text) {
			return a.means
		}
	}
	return meansFailure
}
