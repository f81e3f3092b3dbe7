package lab

// nearest returns the name that word is most likely a slip of, or nothing when none is close.
func nearest(word string, names []string) string { return Nearest(word, names, len(word)/3+1) }

// Nearest returns the name that differs from word by the fewest slips, or nothing when all differ by more than most.
func Nearest(word string, names []string, most int) string {
	best, found := most, ""
	if len(word) > 40 {
		return ""
	}
	for _, name := range names {
		if d := distance(word, name); d <= best && (found == "" || d < best) {
			best, found = d, name
		}
	}
	return found
}

// maxSuggestions bounds the search for similar words: a lab can have thousands of names, each of them wrong.
const maxSuggestions = 20

// nearest is the function of that name for the first words that are wrong.
func (c *checker) nearest(word string, names []string) string {
	if c.suggested++; c.suggested > maxSuggestions {
		return ""
	}
	return nearest(word, names)
}

// distance counts the letters to insert, drop, replace or swap with their neighbour to make a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
