check 'lower case' 'hello, world' "$(lower 'Hello, World')"
check 'lower case of nothing' '' "$(lower '')"
