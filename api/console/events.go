package console

func eventPages() []page { return nil }
