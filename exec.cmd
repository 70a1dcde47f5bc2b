@rem "exec" of package.json's scripts is a word of Unix shells, where it has signals reach node itself; Windows finds this.
@%*
