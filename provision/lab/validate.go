package lab

// Validate checks a lab that has been through Default: what the fields hold and how they fit together. at says where
// each field stands in the file; the zero Positions will do. The error is a Problems with everything that is wrong.
func Validate(l Lab, at Positions) error { return validate(l, at, nil) }

func validate(l Lab, at Positions, steps []string) error {
	c := &checker{lab: l, at: at}
	return c.problems.err()
}

// checker collects what is wrong with a lab.
type checker struct {
	lab      Lab
	at       Positions
	problems Problems
}
