"""`changeover merge`: one file merged by structure, by hand or by git; and how people are asked."""
