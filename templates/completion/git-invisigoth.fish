# Completion of `git-invisigoth` and `git invisigoth`. The program itself says what fits.

function __git_invisigoth_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    if test "$words[1]" = git
        set -l at (contains --index -- invisigoth $words); or return
        set -l place
        for before in (seq 2 $at)
            if test "$words[$before]" = -C
                set --append place -C $words[(math $before + 1)]
            end
        end
        set --erase words[1..$at]
        set words git-invisigoth $place $words
    end
    git-invisigoth complete (count $words) -- $words (commandline --current-token --cut-at-cursor) 2>/dev/null
end

complete --command git-invisigoth --no-files --keep-order --arguments '(__git_invisigoth_complete)'
complete --command git --condition __fish_git_needs_command --arguments invisigoth --description 'Work through a backlog of goals'
complete --command git --condition '__fish_git_using_command invisigoth' --no-files --keep-order --arguments '(__git_invisigoth_complete)'
