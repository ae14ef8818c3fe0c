"""What people and programs call columns and rows, in the languages of their spreadsheets: data alone."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name by its letters and digits alone, without accents: "N° de ticket" is "ndeticket"."""
    composed = unicodedata.normalize("NFKC", name).casefold()
    letters = unicodedata.normalize("NFKD", composed)
    return "".join(char for char in letters if char.isalnum())


def _names(text: str) -> frozenset[str]:
    return frozenset(plain(name.replace("_", " ")) for name in text.split())


TICKET_IDS = _names(
    """ticket_id id_ticket ticket_ids ticket_number ticket_numbers zendesk_ticket_ids zendesk_ticket_numbers
    zendesk_tickets zendesk_ids custom_field_zendesk_ticket_id custom_field_zendesk_ticket_ids
    ticket_no ticket_num ticket_nr ticket_n number_of_ticket
    zendesk_ticket_id zendesk_ticket_number zendesk_ticket_no zendesk_ticket zendesk_id zd_ticket_id zd_id
    zd_ticket support_ticket_id support_ticket_number ticket_id_number ticket_number_id id_of_ticket
    ticketnummer ticket_nummer ticket_kennung ticket_ids nummer_des_tickets
    id_de_ticket id_du_ticket numero_de_ticket numero_du_ticket n_de_ticket n_du_ticket no_de_ticket
    no_du_ticket no_ticket n_ticket num_ticket numero_ticket identifiant_du_ticket ticket_numero
    id_del_ticket numero_del_ticket numero_de_tique id_de_tique n_del_ticket
    id_do_ticket numero_do_ticket n_do_ticket no_do_ticket
    arende_id arendenummer sags_id sagsnummer saks_id saksnummer tiketti_id tikettinumero
    id_zgloszenia numer_zgloszenia nr_zgloszenia id_zgłoszenia numer_zgłoszenia nr_zgłoszenia id_tiketu
    cislo_tiketu номер_тикета id_тикета номер_заявки id_заявки номер_обращения talep_no talep_id bilet_no
    チケットid チケット番号 チケットno チケットナンバー 工单id 工单号 工单编号 工單id 工單號 工單編號 票号
    티켓id 티켓_번호 티켓번호"""
)
TICKETS = _names("ticket tiquet tiket тикет заявка チケット 工单 工單 티켓")
ADDRESSES = _names(
    "ticket_url ticket_link ticket_address url_of_ticket link_to_ticket ticket_links ticket_urls"
)
ADD = _names(
    """add add_tag add_tags tag_to_add tags_to_add to_add tags_add tag_add additional_tags additional_tag
    add_these_tags add_this_tag add_these
    hinzufugen hinzufuegen tags_hinzufugen tag_hinzufugen tags_hinzufuegen hinzuzufugende_tags
    hinzuzufuegende_tags tags_zum_hinzufugen ajouter ajouter_tag ajouter_tags ajouter_les_tags tags_a_ajouter
    tag_a_ajouter balises_a_ajouter marqueurs_a_ajouter agregar anadir agregar_etiquetas anadir_etiquetas
    agregar_tags anadir_tags etiquetas_a_agregar etiquetas_a_anadir etiquetas_para_agregar
    etiquetas_para_anadir tags_para_agregar adicionar adicionar_tags adicionar_tag tags_a_adicionar
    tags_para_adicionar etiquetas_a_adicionar etiquetas_para_adicionar ajouter_des_tags
    aggiungi aggiungere aggiungi_tag tag_da_aggiungere
    aggiungere_tag toevoegen tags_toevoegen tag_toevoegen toe_te_voegen_tags lagg_till tilfoj legg_til lisaa
    dodaj pridat ekle добавить добавить_теги 追加 追加タグ 追加するタグ タグ追加 タグを追加 添加 添加标签
    新增标签
    加标签
    추가 추가할_태그"""
)
REMOVE = _names(
    """remove remove_tag remove_tags tag_to_remove tags_to_remove to_remove tags_remove tag_remove delete_tag
    delete_tags tag_to_delete tags_to_delete remove_these_tags remove_this_tag remove_these
    entfernen tags_entfernen tag_entfernen zu_entfernende_tags tags_zum_entfernen tags_loschen tags_loeschen
    retirer supprimer retirer_tags supprimer_tags retirer_les_tags supprimer_les_tags tags_a_retirer
    tags_a_supprimer tag_a_retirer tag_a_supprimer balises_a_retirer balises_a_supprimer
    marqueurs_a_supprimer enlever quitar eliminar quitar_etiquetas eliminar_etiquetas quitar_tags
    eliminar_tags etiquetas_a_quitar etiquetas_a_eliminar etiquetas_para_quitar etiquetas_para_eliminar
    remover remover_tags remover_tag tags_a_remover tags_para_remover etiquetas_a_remover
    etiquetas_para_remover supprimer_des_tags retirer_des_tags
    rimuovi rimuovere rimuovi_tag tag_da_rimuovere rimuovere_tag
    verwijderen tags_verwijderen tag_verwijderen te_verwijderen_tags ta_bort fjern poista usun odebrat kaldir
    удалить удалить_теги 削除 削除タグ 削除するタグ タグ削除 タグを削除 删除 删除标签 移除 移除标签 제거 삭제
    제거할_태그"""
)
OLD = _names(
    """old old_tag old_tags old_name old_tag_name old_value from from_tag source source_tag current
    current_tag current_name current_tag_name original original_tag original_name before existing existing_tag
    tag_old find find_what search wrong_tag bad_tag actuel tag_actuel
    alt alter_tag altes_tag alte_tags alter_name bisher bisheriger_tag von vorher
    ancien ancien_tag ancienne_balise ancien_nom ancienne avant antiguo antigua etiqueta_antigua tag_antiguo
    anterior actual etiqueta_actual antigo antiga tag_antiga tag_antigo etiqueta_antiga vecchio vecchio_tag
    tag_vecchio oud oude_tag oude_naam huidig huidige_tag gammal gammel vanha stary stary_tag старый
    старый_тег 旧 旧タグ 古いタグ 変更前 元のタグ 旧标签 原标签 舊標籤 기존_태그 이전_태그"""
)
TAG = _names("tag tags tag_name tagname name etiqueta balise etichetta タグ 标签 標籤 태그")
NEW = _names(
    """new new_tag new_tags new_name new_tag_name new_value to to_tag target target_tag replacement
    replacement_tag replacement_name replace_with replace_by replaced_by rename_to renamed_to rename
    tag_new replace proposed proposed_tag suggested_tag correct_tag right_tag good_tag
    merge_into merge_to becomes after neu neuer_tag neues_tag neue_tags neuer_name nach nachher kunftig
    ersatz umbenennen_in ersetzen_durch nouveau nouveau_tag nouvelle_balise nouveau_nom nouvelle apres
    remplacer_par renommer_en nuevo nueva etiqueta_nueva nueva_etiqueta tag_nuevo reemplazar_por novo nova
    tag_nova tag_novo nova_etiqueta nuovo nuovo_tag tag_nuovo nieuw nieuwe_tag nieuwe_naam ny nytt uusi nowy
    nowy_tag новый новый_тег 新 新タグ 新しいタグ 変更後 新标签 新標籤 새_태그"""
)
#: Headers of pairs whose words are tags as well, such as those of languages: a person has to say.
MAYBE_PAIRS = frozenset(
    {
        ("de", "a"),
        ("de", "para"),
        ("de", "vers"),
        ("da", "a"),
        ("van", "naar"),
        ("ist", "soll"),
        ("key", "value"),
        ("wrong", "right"),
        ("bad", "good"),
        ("merge", "into"),
        ("merge", "keep"),
        ("keep", "merge"),
        ("duplicate", "canonical"),
        ("synonym", "canonical"),
    }
)
#: Words of a name that says what to do. Such a column is never passed over.
INSTRUCTIONS = _names(
    """set add adds remove delete drop clear replace overwrite untag append exact exactly only keep merge
    rename setzen ersetzen loschen hinzufugen entfernen remplacer definir reemplazar establecer substituir
    設定 置換 替换 设置"""
)
#: Names of a column that says in each row what is done with it, in a table of tags or of pairs.
ACTIONS = _names("action actions operation aktion accion acao azione actie действие 操作 アクション")
#: Names of a column that says which rows count, in a list of ticket numbers.
CHOICES = _names("exclude excluded skip skipped include included omit")
#: Whole names that are most likely a misspelt or shortened instruction.
SHORT_INSTRUCTIONS = frozenset({"ad", "ads", "aad", "addd", "del", "rm", "rem"})
#: Columns of this project's own exports, which say what was done.
OWN = _names(
    "tags_before tags_added tags_removed tags_after outcome reason sent_at fields_before fields_set comment "
    "verified_at also_to_do named_in tickets tickets_60_days"
)
#: Names near to a known one that are words of their own.
OTHER_WORDS = _names("remote removed added mode made")
#: Beginnings of rows that sum up those above.
TOTALS = _names(
    """total totals grand_total sub_total subtotal sum sums total_count count average avg mean overall
    all_tickets summe summen gesamt gesamtsumme gesamtergebnis insgesamt anzahl zwischensumme durchschnitt
    mittelwert somme total_general totaux ensemble moyenne suma suma_total totales total_geral soma media
    totale totale_complessivo somma totaal eindtotaal totalt summa totalsumma osszesen σ ialt
    yhteensa razem celkem
    toplam genel_toplam итого всего 合計 総計 小計 总计 合计 總計 小计 合計値 합계 총계"""
)
